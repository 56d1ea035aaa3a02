/** What runs a Worker on this machine. */
export interface EngineOptions {
  /** A wrangler.toml. */
  config: string;
  /** The Worker's entry file. */
  entrypoint: string;
  stateDir: string;
  /** On this machine's own address. */
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Beside those of the configuration and of .dev.vars, and before them. */
  vars: Record<string, string>;
  /** Takes each line of the Worker's log. Without it errors alone are printed, on standard error. */
  onLog: ((line: string) => void) | undefined;
}

export interface Engine {
  /** Without a trailing slash. */
  url: string;
  close(): Promise<void>;
}

import { once } from "node:events";
import { IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { parse } from "shell-quote";
import * as z from "zod";
import { runCommand } from "./run-command.ts";

/** Replaces a program: takes its arguments, returns its standard output. */
export type Program = (args: string[]) => Promise<string>;

/**
 * Runs the commands of a documentation page as a POSIX shell would, one per line, and returns what they
 * print. They may use quotes and variables and no other shell syntax, so that systems without a shell or the
 * programs can run them too.
 */
export async function runCommands(
  commands: string,
  variables: Record<string, string>,
  programs: Record<string, Program>,
): Promise<string> {
  let printed = "";
  for (const line of commands.trim().split("\n")) {
    const words = parse(line, variables).map((word) => {
      if (typeof word !== "string") throw new Error(`More than words in: ${line}`);
      return word;
    });
    const name = Object.keys(programs).find((each) => line.startsWith(`${each} `));
    if (name === undefined) throw new Error(`No program for: ${line}`);
    printed += await programs[name]?.(words.slice(name.split(" ").length));
  }
  return printed;
}

/** Runs a command whose name is one word, with arguments after those of the page. Throws if it prints an error. */
export const cliProgram =
  (after: string[]): Program =>
  async ([name = "", ...args]) => {
    const { stdout, stderr } = await runCommand(name, [...args, ...after]);
    if (stderr !== "") throw new Error(stderr);
    return stdout;
  };

/** curl with the options that the pages use, over plain HTTP; any other option throws. */
export const curl: Program = async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      silent: { type: "boolean", short: "s" },
      include: { type: "boolean", short: "i" },
      request: { type: "string", short: "X" },
      header: { type: "string", short: "H", multiple: true },
      data: { type: "string", short: "d" },
    },
  });
  const [url = "", ...more] = positionals;
  if (more.length > 0) throw new Error(`One URL at a time: ${positionals.join(" ")}`);
  const headers = new Headers(
    values.header?.map((header): [string, string] => {
      const colon = header.indexOf(":");
      return [header.slice(0, colon), header.slice(colon + 1).trim()];
    }),
  );
  const method = values.request ?? (values.data === undefined ? "GET" : "POST");
  const sent = request(url, { method, headers: Object.fromEntries(headers) });
  sent.end(values.data);
  const [response] = z.tuple([z.instanceof(IncomingMessage)]).parse(await once(sent, "response"));
  // The header names as they were sent; fetch would hide their spelling and the HTTP version.
  const names = response.rawHeaders.flatMap((name, index, all) =>
    index % 2 === 0 ? [`${name}: ${all[index + 1]}`] : [],
  );
  const status = `HTTP/${response.httpVersion} ${response.statusCode} ${response.statusMessage}`;
  const head = values.include === true ? `${[status, ...names].join("\r\n")}\r\n\r\n` : "";
  return head + (await text(response));
};

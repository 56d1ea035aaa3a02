import { agent, connected, inJson, inTerminal } from "./agents.mjs";

export default agent({
  client: "Claude Code",
  command: "claude",
  // The package's own way to start without its install script.
  program: "@anthropic-ai/claude-code/cli-wrapper.cjs",
  withKey: '--header "Authorization: Bearer $KEY"',
  file: ".claude.json",
  configured: inJson,
  signIn: (sh) => sh(inTerminal("claude mcp login product-catalog")),
  connect: ({ sh }) => connected(sh, "claude mcp list"),
});

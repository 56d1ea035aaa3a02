import { agent, connected, inJson } from "./agents.mjs";

export default {
  ...agent({
    client: "Gemini CLI",
    command: "gemini",
    program: "@google/gemini-cli/bundle/gemini.js",
    withKey: '--header "Authorization: Bearer $KEY"',
    file: ".gemini/settings.json",
    configured: inJson,
    connect: ({ sh }) => connected(sh, "gemini mcp list"),
  }),
  // It signs in inside its own screen, which asks for a model first.
  signsIn: false,
};

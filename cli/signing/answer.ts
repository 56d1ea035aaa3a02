import * as z from "zod";

const errorSchema = z.object({
  error: z.union([z.string(), z.looseObject({ message: z.string() }).transform(({ message }) => message)]),
});
const toolResultSchema = z.object({
  result: z.object({
    isError: z.boolean().default(false),
    content: z.array(z.looseObject({ text: z.string() })),
  }),
});

/** Formats a message of an answer for a person. */
export function readMessage(message: unknown): { failed: boolean; text: string } {
  const error = errorSchema.safeParse(message);
  if (error.success) return { failed: true, text: error.data.error };
  const tool = toolResultSchema.safeParse(message);
  if (!tool.success) return { failed: false, text: JSON.stringify(message, null, 2) };
  const { isError, content } = tool.data.result;
  return { failed: isError, text: content.map(({ text }) => text).join("\n") };
}

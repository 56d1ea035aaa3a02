import * as z from "zod";

const schemaSchema = z.record(z.string(), z.unknown());
type Schema = z.output<typeof schemaSchema>;

/**
 * Returns a JSON Schema as tools/list shows it: without the keywords that some model providers refuse. Values are still
 * checked by the whole schema. A default moves into the description, and a list of types becomes `anyOf`.
 */
export function publishedSchema(schema: unknown): Schema {
  const { format: _, default: preset, type, description, ...kept } = schemaSchema.parse(schema);
  const texts = [
    ...(typeof description === "string" ? [description] : []),
    ...(preset === undefined ? [] : [`Default: ${JSON.stringify(preset)}`]),
  ];
  const inside = Object.fromEntries(
    Object.entries(kept).map(([keyword, value]) => [keyword, publishedInside(keyword, value)]),
  );
  const published = Array.isArray(type)
    ? { anyOf: type.map((each: unknown) => ({ ...inside, type: each })) }
    : { ...(type !== undefined && { type }), ...inside };
  return { ...published, ...(texts.length > 0 && { description: texts.join(". ") }) };
}

/** Publishes the schemas that a keyword holds; other values, such as those of `enum`, stay. */
function publishedInside(keyword: string, value: unknown): unknown {
  switch (keyword) {
    case "properties":
      return Object.fromEntries(
        Object.entries(schemaSchema.parse(value)).map(([name, each]) => [name, publishedSchema(each)]),
      );
    case "anyOf":
      return z.array(z.unknown()).parse(value).map(publishedSchema);
    case "items":
    case "additionalProperties":
      return typeof value === "boolean" ? value : publishedSchema(value);
    default:
      return value;
  }
}

import * as z from "zod";

export type ObjectSchema = z.ZodType<Record<string, unknown>>;

type JsonSchema = z.core.JSONSchema.BaseSchema;

// Schemas as the code checks them; published-schema.ts says which part clients see. Every model pays for each word with every request, so everything that a reader knows
// from elsewhere is left out: the dialect (MCP's default is 2020-12), the pattern of a format, the bounds that every
// integer has, that names are strings.

export const inputSchemaOf = (schema: ObjectSchema): object =>
  asObject(z.toJSONSchema(schema, { io: "input", override: ({ jsonSchema }) => shorten(jsonSchema) }));

export const outputSchemaOf = (schema: ObjectSchema): object =>
  asObject(
    z.toJSONSchema(schema, {
      io: "output",
      override({ jsonSchema }) {
        shorten(jsonSchema);
        // If clients were told that there are no other properties, every added field would be a breaking change.
        delete jsonSchema.additionalProperties;
      },
    }),
  );

const ANY_NAME = JSON.stringify({ type: "string" });

function shorten(schema: JsonSchema): void {
  if (schema.format !== undefined) delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (JSON.stringify(schema.propertyNames) === ANY_NAME) delete schema.propertyNames;
}

const asObject = (schema: object): object => ({
  ...Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== "$schema")),
  type: "object",
});

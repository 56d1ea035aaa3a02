// The two floors of the comparison: Hono alone, and a search route alone.

import { Hono } from "hono";
import { naiveSearch } from "../naive-search.ts";

const app = new Hono<{ Bindings: Env }>();
app.get("/", (c) => c.text("Hello"));
app.get("/search", async (c) => c.json({ products: await naiveSearch(c.env.DB, c.req.query("q") ?? "") }));

export default app;

// Stands for the browser that a program opens: a person signs in with KEY, and allows the scopes of TICKED or all that
// are offered.

import { allow } from "./person.mjs";

const { KEY, TICKED } = process.env;
await fetch(await allow(process.argv[2], KEY, TICKED === "" ? undefined : TICKED.split(" ")));

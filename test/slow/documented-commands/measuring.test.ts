import { MEASURING } from "../../node/support/forms/measuring.ts";
import { testForms } from "../support/test-forms.ts";

testForms(MEASURING);

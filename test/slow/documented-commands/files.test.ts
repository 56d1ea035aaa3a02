import { FILES } from "../../node/support/forms/files.ts";
import { testForms } from "../support/test-forms.ts";

testForms(FILES);

import type { SignedIn } from "../../../identity/sessions.ts";
import { toPrincipal } from "../../../identity/oauth.ts";
import type { Principal } from "../../../identity/principal.ts";
import { scopesOf } from "../../../identity/scopes.ts";
import { type DecidedBy, noteOf } from "../../../identity/who-may.ts";
import { textOf } from "../../layout/form-guards.ts";
import { clip, plainLine } from "../../../text/plain-text.ts";
import type { Decider } from "../../../caller/detection/decisions.ts";

const NOTE_MAX = 500;

/** The admin who decides, with the note from the form. */
export const deciderOf = (admin: SignedIn, form: FormData, decidedBy?: DecidedBy): Decider => ({
  by: admin.user.userId,
  note: noteOf(clip(plainLine(textOf(form, "note")), NOTE_MAX), decidedBy),
});

/** The admin as the guard sees callers. */
export const principalOf = ({ user }: SignedIn): Principal =>
  toPrincipal(user, "session", scopesOf(user.roles));

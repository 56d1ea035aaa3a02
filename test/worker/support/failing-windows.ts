import { env } from "cloudflare:workers";
import type { AdmissionRequest, Settlement } from "../../../src/windows/admission.ts";
import type { Windows } from "../../../src/windows/user-windows.ts";

type Failure = () => Promise<unknown>;

/** The real namespace, whose stubs fail in one method as they are told, one stub after the other, and then work. */
export function failing(
  method: "admit" | "settle" | "noteIdentity" | "overview",
  ...failures: readonly Failure[]
) {
  const stubs: string[] = [];
  const windows: Windows = new Proxy(env.USER_WINDOWS, {
    get(namespace, property) {
      if (property !== "getByName") return Reflect.get(namespace, property);
      return (name: string) => {
        const fails = failures[stubs.length];
        stubs.push(name);
        const stub = namespace.getByName(name);
        if (fails === undefined) return stub;
        const admit = (request: AdmissionRequest) => stub.admit(request);
        const settle = (settlement: Settlement) => stub.settle(settlement);
        return { admit, settle, [method]: fails };
      };
    },
  });
  return { windows, stubs };
}

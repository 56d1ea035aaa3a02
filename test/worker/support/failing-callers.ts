import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { AdmissionRequest, Settlement } from "../../../src/caller/admission.ts";
import type { CallerNamespace } from "../../../src/caller/caller-do.ts";

type Failure = () => Promise<unknown>;

/** The real namespace, whose stubs fail in one method as told, one stub after the other, and then work. */
export function failing(
  method: "decideAll" | "settle" | "noteIdentity" | "forgetIdentity" | "overview",
  ...failures: readonly Failure[]
) {
  const stubs: string[] = [];
  const callers: CallerNamespace = new Proxy(env.USER_WINDOWS, {
    get(namespace, property) {
      if (property !== "getByName") return Reflect.get(namespace, property);
      return (name: string) => {
        const fails = failures[stubs.length];
        stubs.push(name);
        const stub = namespace.getByName(name);
        if (fails === undefined) return stub;
        const decideAll = (requests: AdmissionRequest[], identity?: number) =>
          stub.decideAll(requests, identity);
        const settle = (settlement: Settlement) => stub.settle(settlement);
        return { decideAll, settle, [method]: fails };
      };
    },
  });
  return { callers, stubs };
}

/**
 * The real namespace, whose objects are reset as soon as they have done their first caller's request: the
 * call has arrived and is stored, and its answer is lost. Later requests are answered.
 */
export function losing(...lost: readonly string[]) {
  const left = new Set(lost);
  const callers: CallerNamespace = new Proxy(env.USER_WINDOWS, {
    get(namespace, property) {
      if (property !== "getByName") return Reflect.get(namespace, property);
      return (name: string) => {
        const stub = namespace.getByName(name);
        return new Proxy(stub, {
          get(target, method) {
            if (typeof method !== "string" || !left.has(method)) return Reflect.get(target, method);
            return async (...args: unknown[]) => {
              left.delete(method);
              await Reflect.apply(Reflect.get(target, method), target, args);
              await evictDurableObject(target);
              throw Object.assign(new Error("reset"), { remote: true, durableObjectReset: true });
            };
          },
        });
      };
    },
  });
  return { callers, left };
}

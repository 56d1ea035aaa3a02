/** Keys that one map remembers, so that a flood of keys can't grow the isolate's memory. */
const KEYS_MAX = 10_000;

/** Sets a key's value and makes the key the last of its map, from which the first is dropped once there are too many. */
export function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KEYS_MAX && oldest !== undefined) map.delete(oldest);
}

/** Returns `read` with its last thousands of results remembered. Results that have side effects or age are not for it. */
export function remembered<Value>(read: (key: string) => Value): (key: string) => Value {
  const results = new Map<string, Value>();
  return (key) => {
    const known = results.get(key);
    if (known !== undefined) return known;
    if (results.size >= KEYS_MAX) results.clear();
    const value = read(key);
    results.set(key, value);
    return value;
  };
}

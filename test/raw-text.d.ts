/** A file's text, as vite provides it. */
declare module "*?raw" {
  const text: string;
  export default text;
}

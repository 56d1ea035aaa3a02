// Drawings of products for pictures of the documentation, so that they need no photograph.

export interface Keyboard {
  /** Colours of the ground, the case, its keys and one accent. */
  ground: string;
  body: string;
  keys: string;
  accent: string;
  /** Keys in a row: 10 is a small keyboard, 15 one with a number pad. */
  columns: number;
}

/** Draws a keyboard from above, as SVG. */
export function drawKeyboard({ ground, body, keys, accent, columns }: Keyboard): string {
  const key = 17;
  const width = columns * key + 15;
  const x = (320 - width) / 2;
  const rect = (at: [number, number], size: [number, number], round: number, fill: string) =>
    `<rect x="${at[0]}" y="${at[1]}" width="${size[0]}" height="${size[1]}" rx="${round}" fill="${fill}"/>`;
  const rows = [0, 1, 2, 3].flatMap((row) =>
    Array.from({ length: columns }, (_, column) => {
      const isAccent = (row === 0 && column === 0) || (row === 2 && column === columns - 1);
      return rect([x + 9 + column * key, 73 + row * key], [14, 14], 3, isAccent ? accent : keys);
    }),
  );
  const space = columns * key * 0.42;
  const bottom = [
    ...[0, 1].map((column) => rect([x + 9 + column * key, 141], [14, 14], 3, keys)),
    rect([160 - space / 2, 141], [space, 14], 3, keys),
    ...[1, 0].map((column) => rect([x + width - 6 - (column + 1) * key, 141], [14, 14], 3, keys)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" width="320" height="240">
    <rect width="320" height="240" fill="${ground}"/>
    <ellipse cx="160" cy="176" rx="${width / 2}" ry="9" fill="#0002"/>
    ${rect([x, 64], [width, 104], 11, body)}${[...rows, ...bottom].join("")}</svg>`;
}

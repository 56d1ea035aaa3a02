/** How many of a sample were flagged, and the interval of the share of all. */
export interface Share {
  flagged: number;
  of: number;
  interval: [low: number, high: number];
}

/** The normal distribution's two-sided 95 % point. */
const Z = 1.959964;

/**
 * The 95 % interval of a share by Wilson's score. It holds for small counts and zero, where the normal
 * approximation fails. E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212.
 */
export function wilson95(flagged: number, of: number): [low: number, high: number] {
  if (of === 0) return [0, 1];
  const share = flagged / of;
  const centre = share + Z ** 2 / (2 * of);
  const spread = Z * Math.sqrt((share * (1 - share)) / of + Z ** 2 / (4 * of ** 2));
  const scale = 1 + Z ** 2 / of;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}

export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

import { type Name, type Query, type Slot, attributePhrase } from "./query.ts";
import { headWord } from "./words.ts";

/** What ranking reads of a product. Texts are words between spaces. */
export interface Candidate {
  id: number;
  /** What it is (headWord() in words.ts). */
  head: string;
  /** Name, brand, model and description. */
  card: string;
  /** Its codes and neighbouring words, written as one. */
  joined: string;
  /** Bit i: the attributes hold the word typed in slot i. */
  inRest: number;
  isDiscontinued: boolean;
  /** What a page shows of it: JSON, left alone here. */
  summary: string;
}

/**
 * Reads the cell that lookUp() (statements.ts) makes of candidates: a line each, with tabs between fields,
 * neither of which words hold, nor JSON. Split by hand, as checking 100 rows of columns takes longer than ranking them.
 */
export function readCandidates(cell: string): Candidate[] {
  if (cell === "") return [];
  return cell.split("\n").map((line) => {
    const [id, inRest, isDiscontinued, head, card, joined, summary, ...others] = line.split("\t");
    if (
      head === undefined ||
      card === undefined ||
      joined === undefined ||
      summary === undefined ||
      others.length > 0
    )
      throw new Error("A candidate has other fields than were asked for.");
    return {
      id: Number(id),
      head,
      card,
      joined,
      inRest: Number(inRest),
      isDiscontinued: isDiscontinued === "1",
      summary,
    };
  });
}

/** Few and round: docs/search.md says what halving or doubling each one does. */
export const WEIGHTS = {
  /** A word that stands on the card, and one that only the attributes hold. */
  shown: 5,
  attribute: 3,
  /** BM25's k1 and b, and the words of a usual card. */
  k1: 1.5,
  b: 0.75,
  usualLength: 25,
  /** Added to the text score, which is 1 at most. */
  isWanted: 0.06,
  discontinued: -0.1,
};

export interface Ranked {
  candidate: Candidate;
  score: number;
}

/**
 * Candidates in order, the best first.
 * @param matches - how many products meet each slot, as far as they were counted
 * @param total - products in the catalog
 */
export function rank(
  query: Query,
  matches: readonly number[],
  total: number,
  candidates: readonly Candidate[],
  weights = WEIGHTS,
): Ranked[] {
  const rarity = query.slots.map((_, slot) => Math.log(1 + (total + 0.5) / ((matches[slot] ?? 0) + 0.5)));
  const most = rarity.reduce((sum, value) => sum + value, 0);
  const slots = query.slots.map((slot) => slot.map(toNeedle));
  const wanted = (query.slots.at(-1) ?? []).map(({ phrase, asHead }) => ({
    head: ` ${headWord(phrase)} `,
    asHead,
  }));
  const ranked = candidates.map((candidate) => {
    const norm = lengthNorm(candidate.card, weights);
    let text = 0;
    for (let slot = 0; slot < slots.length; slot++) {
      const attribute = (candidate.inRest & (1 << slot)) === 0 ? 0 : weights.attribute;
      text += (rarity[slot] ?? 0) * met(slots[slot] ?? [], candidate, attribute, norm, weights);
    }
    let isWanted = 0;
    for (const { head, asHead } of wanted) {
      if (asHead > isWanted && candidate.head.includes(head)) isWanted = asHead;
    }
    const score =
      text / most + weights.isWanted * isWanted + (candidate.isDiscontinued ? weights.discontinued : 0);
    return { candidate, score };
  });
  return ranked.toSorted((a, b) => b.score - a.score || a.candidate.id - b.candidate.id);
}

type Needle = Pick<Name, "weight"> & { text: string };

function toNeedle({ phrase, weight }: Name): Needle {
  return { weight, text: ` ${phrase} ` };
}

function lengthNorm(card: string, { k1, b, usualLength }: typeof WEIGHTS): number {
  return k1 * (1 - b + (b * wordsIn(card)) / usualLength);
}

/**
 * How well a slot is met, from 0 to 1: BM25's curve over all fields together, for the best of the
 * slot's names. Not for their sum, which would put a sleeve "for laptop or notebook" above laptops.
 */
function met(
  names: readonly Needle[],
  { card, joined }: Candidate,
  attribute: number,
  norm: number,
  weights: typeof WEIGHTS,
): number {
  let best = 0;
  let typedAlone = attribute;
  for (const { text, weight } of names) {
    const written = occurrences(card, text);
    const times = written > 0 || !joined.includes(text) ? written : 1;
    const value = weights.shown * times + typedAlone;
    typedAlone = 0;
    best = Math.max(best, (weight * value) / (value + norm));
  }
  return best;
}

function occurrences(field: string, text: string): number {
  let found = 0;
  for (let at = field.indexOf(text); at >= 0; at = field.indexOf(text, at + 1)) found++;
  return found;
}

const SPACE = 32;

/** By hand: this runs over every letter of every candidate, and splitting takes ten times as long. */
function wordsIn(text: string): number {
  let words = 0;
  for (let at = 1; at < text.length; at++) {
    if (text.charCodeAt(at) === SPACE && text.charCodeAt(at - 1) !== SPACE) words++;
  }
  return words;
}

/** What each slot looks for in attributes, for the database to find: they are too long to fetch. */
export const attributeNeedles = ({ slots }: Query) => slots.map((slot: Slot) => ` ${attributePhrase(slot)} `);

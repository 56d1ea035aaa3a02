// What a product is, from general knowledge of electronics retail. Data only, lower case.

/** Words that say how a thing looks or is packed, never what it is. */
export const DESCRIPTORS: ReadonlySet<string> = new Set(
  `black white blue red green yellow silver gray grey pink purple orange brown beige gold cyan magenta
  multicolor multicolour multicolored transparent violet turquoise light dark bronze titanium original
  compatible genuine new wired wireless internal external portable retail oem bulk pack pcs pc(s) set full
  hd high low standard colour color mono small large medium mini micro metal plastic leather nylon
  aluminium aluminum steel glass indoor outdoor digital analog usb bluetooth android windows linux ios lcd
  led tft ips dpi pixels type series ethernet wi-fi gigabit`.split(/\s+/),
);

/** Words that add nothing behind a head noun: a notebook PC is a notebook. */
export const GENERIC: ReadonlySet<string> = new Set([
  "pc",
  "computer",
  "set",
  "system",
  "device",
  "unit",
  "pack",
]);

/**
 * What a product is where its name does not say ("Samsung Galaxy S10 Lite 17 cm 128 GB"): some
 * attributes make sense for one kind of thing alone. All keys must be there, each as a beginning.
 */
export const SIGNS: readonly (readonly [kind: string, ...keys: readonly string[]])[] = [
  ["smartphone", "sim card", "rear camera", "display diagonal"],
  ["tv", "display diagonal", "rf ports"],
  ["tv", "display diagonal", "smart tv"],
  ["tv", "display diagonal", "teletext"],
  ["monitor", "display diagonal", "vesa mounting", "vertical scan range"],
  ["monitor", "display diagonal", "bezel width"],
  ["printer", "print speed", "maximum duty cycle"],
  ["printer", "print speed", "total input capacity"],
  ["multifunction", "print speed", "copying"],
  ["notebook", "display diagonal", "pointing device", "internal memory"],
  ["notebook", "display diagonal", "number of battery cells", "processor"],
  ["camera", "light metering", "white balance"],
  ["toner cartridge", "black toner page yield"],
  ["toner cartridge", "colour toner page yield"],
  ["ink cartridge", "black ink page yield"],
  ["ink cartridge", "colour ink page yield"],
  ["hard drive", "hdd capacity", "hdd speed"],
  ["processor", "processor socket", "processor codename", "tcase"],
];

/** A plain chat around a card, for pictures. `asked` and `said` are texts of this repository. */
export const chatPage = (
  asked: string,
  said: string,
): string => `<!doctype html><html lang="en"><title>Chat</title><style>
:root { color-scheme: light dark }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; background: light-dark(#fff, #1d1e22); color: light-dark(#1a1b1f, #ececf0) }
main { max-width: 48rem; margin: 0 auto; padding: 1.25rem 1rem }
.asked { width: fit-content; max-width: 80%; margin: 0 0 1.25rem auto; padding: .625rem 1rem; border-radius: 1.25rem 1.25rem .25rem 1.25rem;
  background: light-dark(#eef1f7, #2f3238) }
.tool { display: flex; align-items: center; gap: .5rem; margin: 0 0 .5rem; color: light-dark(#565a63, #b4b7bf); font-size: .8125rem }
.tool::before { content: ""; width: .5rem; height: .5rem; border-radius: 50%; background: light-dark(#0f6b34, #7fdca4) }
iframe { display: block; width: 100%; border: 0; margin: 0 -.5rem }
.said { margin: .75rem 0 0 }
</style><main><p class="asked">${asked}</p><p class="tool">product-catalog</p><div id="card"></div><p class="said">${said}</p></main>`;

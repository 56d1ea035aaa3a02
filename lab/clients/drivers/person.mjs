// A person at a browser without a screen: signs in with an access key and ticks scopes on the consent page.

/**
 * Follows an authorization URL to the client's callback and returns that URL. `ticked` names the scopes to allow; without
 * it, all that the page offers.
 */
export async function allow(authorizeUrl, key, ticked) {
  const cookies = new Map();
  const { origin } = new URL(authorizeUrl);
  const visit = async (url, body) => {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      redirect: "manual",
      headers: {
        accept: "text/html",
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(body !== undefined && { origin }),
      },
      body,
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) return response;
    const next = new URL(location, url);
    return next.origin === origin ? visit(next) : next;
  };
  let page = await visit(authorizeUrl);
  for (let pages = 0; page instanceof Response && pages < 4; pages++) {
    const html = await page.text();
    if (page.status !== 200)
      throw new Error(`${page.status}: ${/<p class="bad">([^<]*)/.exec(html)?.[1] ?? html.slice(0, 200)}`);
    const value = (name) =>
      new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const isConsent = html.includes('name="handle"');
    const offered = [...html.matchAll(/name="scope" value="([^"]*)"/g)].map(([, scope]) => scope);
    const fields = isConsent
      ? [
          ["handle", value("handle")],
          ["decision", "allow"],
          ...offered.filter((scope) => ticked?.includes(scope) ?? true).map((scope) => ["scope", scope]),
        ]
      : [["key", key]];
    page = await visit(
      `${origin}/${isConsent ? "authorize" : "sign-in"}`,
      new URLSearchParams([["next", value("next")], ...fields]),
    );
  }
  if (page instanceof Response) throw new Error("The pages lead to no callback.");
  return page;
}

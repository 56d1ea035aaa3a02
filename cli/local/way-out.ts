/** A real client's description, of the kind that this server would fetch (docs/connect.md). */
const DESCRIPTION = "https://vscode.dev/oauth/client-metadata.json";

/**
 * Returns whether this machine reaches the internet without a proxy, as the Worker on it has to. Any answer counts. Takes
 * at most `ms` milliseconds.
 */
export async function hasWayOut(url = DESCRIPTION, ms = 2_000): Promise<boolean> {
  try {
    await fetch(url, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(ms) });
    return true;
  } catch {
    return false;
  }
}

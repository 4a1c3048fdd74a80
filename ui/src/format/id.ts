/** Enough of an id to tell it from others: time-ordered ids begin alike, so their end is shown. */
export function shortId(id: string): string {
  return id.includes('-') ? id.slice(-6) : id.slice(0, 8)
}

/** A text with its long ids shortened. */
export function shortenIds(text: string): string {
  return text.replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b/g, shortId)
}

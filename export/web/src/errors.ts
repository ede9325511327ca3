/** What went wrong, said for the person at the page: what was expected, what came, the way out. */
export class KerasfaceError extends Error {
  override name = "KerasfaceError";
}

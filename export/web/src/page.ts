/** The page's elements, and how it speaks: one line of status, one of trouble. */

/** The element that index.html gives this id. */
export function element<Kind extends HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind;
}

export function say(text: string): void {
  element("status").textContent = text;
}

export function complain(texts: readonly string[]): void {
  const problem = element("problem");
  problem.textContent = texts.join(" ");
  problem.hidden = !texts.length;
}

/** Runs what a person has asked for; its trouble is told, whatever it is, and the status is again what still holds. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  const before = element("status").textContent;
  complain([]);
  try {
    await work();
  } catch (error) {
    complain([reasonOf(error)]);
    say(before);
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An element with a text. */
export function textElement<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  text: string,
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** The files that a person has chosen; the same ones can be chosen again. */
export function takeFiles(input: HTMLInputElement): File[] {
  const files = [...(input.files ?? [])];
  input.value = "";
  return files;
}

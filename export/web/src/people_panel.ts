/** Who is known: enrolling, removing, saving and opening galleries. */
import { KerasfaceError } from "./errors.ts";
import { Gallery } from "./gallery.ts";
import type { Picture } from "./geometry.ts";
import { attempt, complain, element, reasonOf, say, takeFiles, textElement } from "./page.ts";
import { draw, readFrame, readPhoto } from "./photos.ts";
import type { State } from "./state.ts";

/**
 * @param state what the page holds now; undefined until an embedder is loaded
 * @param onForget is called when somebody who was known no longer is
 */
export function peoplePanel(state: () => State | undefined, onForget: () => void): { refresh(): void } {
  const [form, fields] = [element<HTMLFormElement>("enroll"), element<HTMLFieldSetElement>("enroll-fields")];
  const photos = element<HTMLInputElement>("enroll-photos");
  const save = element<HTMLButtonElement>("save");
  const opener = element<HTMLInputElement>("gallery-file");

  function refresh(): void {
    const held = state();
    fields.disabled = opener.disabled = !held;
    const names = held?.gallery.names ?? [];
    save.disabled = !names.length;
    element("nobody").hidden = names.length > 0;
    element("people").replaceChildren(...names.map((name) => person(held!, name, forgotten)));
  }

  function forgotten(): void {
    onForget();
    refresh();
  }

  async function enroll(source: (held: State) => Promise<readonly [string, () => Promise<Picture>][]>): Promise<void> {
    const held = state();
    if (!held || !form.reportValidity()) {
      return;
    }
    const name = element<HTMLInputElement>("name").value.trim();
    if (!name) {
      throw new KerasfaceError("Give the person a name.");
    }
    const pictures = await source(held);
    const problems: string[] = [];
    for (const [called, read] of pictures) {
      say(`Enrolling ${name} from ${called}…`);
      try {
        const { crop, embedding } = await held.pipeline.face(await read(), called);
        held.gallery.enroll(name, embedding);
        held.faces.set(name, crop);
      } catch (error) {
        problems.push(reasonOf(error));
      }
    }
    complain(problems);
    const count = pictures.length - problems.length;
    say(`${count} of ${pictures.length} photos of ${name} enrolled.`);
    if (count) {
      form.reset();
    }
    refresh();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(() =>
      enroll(async () => {
        const files = takeFiles(photos);
        if (!files.length) {
          throw new KerasfaceError("Choose at least one photo of this person.");
        }
        return files.map((file) => [file.name, () => readPhoto(file)] as const);
      }),
    );
  });
  element("enroll-frame").addEventListener("click", () => {
    const frame = readFrame(element<HTMLVideoElement>("video"));
    void attempt(() => enroll(async () => [["the camera", async () => frame]]));
  });
  save.addEventListener("click", () =>
    attempt(async () => {
      download(await state()!.gallery.save(), "gallery.kfg");
      say("The gallery is among your downloads.");
    }),
  );
  opener.addEventListener("change", () =>
    attempt(async () => {
      const held = state();
      const [file] = takeFiles(opener);
      if (held && file) {
        held.gallery = await Gallery.open(new Uint8Array(await file.arrayBuffer()), held.pipeline.embedder.spec);
        held.faces.clear();
        say(`${file.name} holds ${held.gallery.names.length} people.`);
        forgotten();
      }
    }),
  );
  return { refresh };
}

function person({ gallery, faces }: State, name: string, onRemove: () => void): HTMLLIElement {
  const item = document.createElement("li");
  const face = faces.get(name);
  const portrait = document.createElement(face ? "canvas" : "span");
  portrait.setAttribute("aria-hidden", "true");
  if (face) {
    draw(portrait as HTMLCanvasElement, face);
  } else {
    portrait.className = "blank";
  }
  const told = document.createElement("div");
  const count = gallery.count(name);
  told.append(textElement("strong", name), textElement("small", count === 1 ? "1 photo" : `${count} photos`));
  const remove = textElement("button", "Remove");
  remove.type = "button";
  remove.className = "quiet";
  remove.setAttribute("aria-label", `Remove ${name}`);
  remove.addEventListener("click", () => {
    gallery.remove(name);
    faces.delete(name);
    say(`${name} is forgotten.`);
    onRemove();
  });
  item.append(portrait, told, remove);
  return item;
}

function download(content: Uint8Array, name: string): void {
  const url = URL.createObjectURL(new Blob([content as Uint8Array<ArrayBuffer>]));
  const link = document.createElement("a");
  [link.href, link.download] = [url, name];
  link.click();
  // Some browsers read it only after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

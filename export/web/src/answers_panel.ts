/** Who is on photos, and who is before the camera. */
import { answerList, answersFor, drawAnswers, sentence, type Answer } from "./answers.ts";
import { Camera } from "./camera.ts";
import { KerasfaceError } from "./errors.ts";
import { attempt, complain, element, reasonOf, say, takeFiles, textElement } from "./page.ts";
import { draw, readFrame, readPhoto } from "./photos.ts";
import type { State } from "./state.ts";

/**
 * @param state what the page holds now; undefined until an embedder is loaded
 * @returns refresh: the page holds something else; forget: what it answered is no answer any more
 */
export function answersPanel(state: () => State | undefined): { refresh(): void; forget(): void } {
  const photos = element<HTMLInputElement>("photos");
  const button = element<HTMLButtonElement>("camera");
  const [stage, live] = [element("stage"), element("live")];
  const [video, overlay] = [element<HTMLVideoElement>("video"), element<HTMLCanvasElement>("overlay")];
  const camera = new Camera(video, look, show, refreshInputs);
  let isSwitching = false;

  photos.addEventListener("change", () =>
    attempt(async () => {
      const files = takeFiles(photos);
      element("answers").replaceChildren();
      const problems: string[] = [];
      for (const file of files) {
        say(`Looking at ${file.name}…`);
        try {
          const held = state()!;
          const figure = await answered(held, file);
          if (held !== state()) {
            throw new KerasfaceError(`Another embedder was opened during the look at ${file.name}: choose it again.`);
          }
          element("answers").append(figure);
        } catch (error) {
          problems.push(reasonOf(error));
        }
      }
      complain(problems);
      say(`${files.length - problems.length} of ${files.length} photos looked at.`);
    }),
  );
  button.addEventListener("click", () =>
    attempt(async () => {
      const hadFocus = document.activeElement === button;
      isSwitching = true;
      refreshInputs();
      try {
        await (camera.isOn ? camera.stop() : camera.start());
      } finally {
        isSwitching = false;
        refreshInputs();
        // A browser takes the focus from a disabled button, and who uses the keyboard would have to look for it.
        if (hadFocus && document.activeElement === document.body) {
          button.focus();
        }
      }
    }),
  );

  function refreshInputs(): void {
    photos.disabled = !state();
    button.disabled = isSwitching || !state();
    button.textContent = camera.isOn ? "Stop the camera" : "Start the camera";
    button.setAttribute("aria-pressed", String(camera.isOn));
    stage.hidden = !camera.isOn;
    element<HTMLButtonElement>("enroll-frame").disabled = !camera.isOn;
  }

  async function look(): Promise<readonly Answer[] | undefined> {
    const held = state()!;
    const faces = await held.pipeline.facesOfFrame(readFrame(video));
    return held === state() ? answersFor(held, faces) : undefined;
  }

  function show(answers: readonly Answer[] | undefined): void {
    // Setting a canvas's size empties it.
    [overlay.width, overlay.height] = [video.videoWidth, video.videoHeight];
    drawAnswers(overlay.getContext("2d")!, answers ?? []);
    const told = answers ? sentence(answers) : "";
    // A screen reader speaks what changes, not every frame.
    if (live.textContent !== told) {
      live.textContent = told;
    }
  }

  function forget(): void {
    element("answers").replaceChildren();
    show(undefined);
  }

  return {
    refresh() {
      refreshInputs();
      forget();
    },
    forget,
  };
}

async function answered(state: State, file: File): Promise<HTMLElement> {
  const photo = await readPhoto(file);
  const answers = answersFor(state, await state.pipeline.faces(photo));
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${file.name}: ${sentence(answers)}`);
  drawAnswers(draw(canvas, photo), answers);
  const caption = document.createElement("figcaption");
  caption.append(textElement("small", file.name), answerList(answers));
  figure.append(canvas, caption);
  return figure;
}

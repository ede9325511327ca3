/** Who is on photos, and who is before the camera. */
import { answerList, answersFor, drawAnswers, sentence } from "./answers.ts";
import { Camera } from "./camera.ts";
import { attempt, complain, element, reasonOf, say, takeFiles, textElement } from "./page.ts";
import { draw, readFrame, readPhoto } from "./photos.ts";
import type { State } from "./state.ts";

/** @param state what the page holds now; undefined until an embedder is loaded */
export function answersPanel(state: () => State | undefined): { refresh(): void } {
  const photos = element<HTMLInputElement>("photos");
  const button = element<HTMLButtonElement>("camera");
  const [stage, live] = [element("stage"), element("live")];
  const [video, overlay] = [element<HTMLVideoElement>("video"), element<HTMLCanvasElement>("overlay")];
  const camera = new Camera(video, look);

  photos.addEventListener("change", () =>
    attempt(async () => {
      const files = takeFiles(photos);
      element("answers").replaceChildren();
      const problems: string[] = [];
      for (const file of files) {
        say(`Looking at ${file.name}…`);
        try {
          element("answers").append(await answered(state()!, file));
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
      await (camera.isOn ? camera.stop() : camera.start());
      stage.hidden = !camera.isOn;
      live.textContent = "";
      button.textContent = camera.isOn ? "Stop the camera" : "Start the camera";
      button.setAttribute("aria-pressed", String(camera.isOn));
      element<HTMLButtonElement>("enroll-frame").disabled = !camera.isOn;
    }),
  );

  async function look(): Promise<void> {
    const held = state()!;
    const answers = answersFor(held, await held.pipeline.facesOfFrame(readFrame(video)));
    [overlay.width, overlay.height] = [video.videoWidth, video.videoHeight];
    drawAnswers(overlay.getContext("2d")!, answers);
    const told = sentence(answers);
    // A screen reader speaks what changes, not every frame.
    if (live.textContent !== told) {
      live.textContent = told;
    }
  }

  return {
    refresh() {
      photos.disabled = button.disabled = !state();
    },
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

/** Ties the page together. */
import { answersPanel } from "./answers_panel.ts";
import { loadDetector } from "./assets.ts";
import { KerasfaceError } from "./errors.ts";
import { embedderPanel } from "./embedder_panel.ts";
import { attempt, say } from "./page.ts";
import { peoplePanel } from "./people_panel.ts";
import type { State } from "./state.ts";

let state: State | undefined;
const answers = answersPanel(() => state);
const panels = [peoplePanel(() => state, answers.forget), answers];

void attempt(async () => {
  if (!isSecureContext) {
    throw new KerasfaceError("Open this page by https or from localhost: others get no camera and no sha256.");
  }
  say("Loading the face detector…");
  await embedderPanel(
    await loadDetector(),
    () => state,
    (next) => {
      state = next;
      panels.forEach((panel) => panel.refresh());
    },
  );
});

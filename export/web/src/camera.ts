/** The camera: its picture in a video element, and a look at it again and again, one at a time. */
import { KerasfaceError } from "./errors.ts";
import { complain, reasonOf } from "./page.ts";

export class Camera<Seen> {
  readonly #video: HTMLVideoElement;
  readonly #look: () => Promise<Seen | undefined>;
  readonly #show: (seen: Seen | undefined) => void;
  readonly #lost: () => void;
  #stream: MediaStream | undefined;

  /**
   * @param look at the video's frame
   * @param show gets what the last look saw; undefined when that is no answer about who is before the camera now
   * @param lost is called after the camera has gone off by itself: unplugged, or no longer allowed
   */
  constructor(
    video: HTMLVideoElement,
    look: () => Promise<Seen | undefined>,
    show: (seen: Seen | undefined) => void,
    lost: () => void,
  ) {
    this.#video = video;
    this.#look = look;
    this.#show = show;
    this.#lost = lost;
  }

  get isOn(): boolean {
    return this.#stream !== undefined;
  }

  async start(): Promise<void> {
    const stream = await request();
    if (this.isOn) {
      // Another start was quicker; nobody could stop this stream later.
      release(stream);
      return;
    }
    this.#stream = stream;
    // Not fired by `release`.
    stream.getTracks().forEach((track) => track.addEventListener("ended", () => this.#end(stream)));
    this.#show(undefined);
    this.#video.srcObject = stream;
    try {
      await this.#video.play();
    } catch (error) {
      if (this.#stream === stream) {
        this.stop();
      }
      throw new KerasfaceError(`The camera's picture doesn't play: ${reasonOf(error)}. Start the camera again.`);
    }
    void this.#run(stream);
  }

  stop(): void {
    if (this.#stream) {
      release(this.#stream);
    }
    this.#stream = undefined;
    this.#video.srcObject = null;
    this.#show(undefined);
  }

  #end(stream: MediaStream): void {
    if (this.#stream === stream) {
      this.stop();
      complain(["The camera has gone off: it was unplugged, or this page may no longer use it."]);
      this.#lost();
    }
  }

  async #run(stream: MediaStream): Promise<void> {
    while (this.#stream === stream) {
      let seen: Seen | undefined;
      let problem: string | undefined;
      try {
        seen = await this.#look();
      } catch (error) {
        problem = reasonOf(error);
      }
      // A look that outlasts its stream has seen somebody who may have left.
      if (this.#stream === stream) {
        this.#show(seen);
        if (problem !== undefined) {
          complain([problem]);
        }
      }
      // No frame is drawn while the page is hidden: nobody is looked at then.
      await new Promise(requestAnimationFrame);
    }
  }
}

async function request(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } }, audio: false });
  } catch (error) {
    throw new KerasfaceError(`No camera: ${reasonOf(error)}. Connect one and allow this page to use it.`);
  }
}

function release(stream: MediaStream): void {
  stream.getTracks().forEach((track) => track.stop());
}

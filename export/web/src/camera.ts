/** The camera: its picture in a video element, and a look at it again and again, one at a time. */
import { KerasfaceError } from "./errors.ts";
import { complain, reasonOf } from "./page.ts";

export class Camera {
  readonly #video: HTMLVideoElement;
  readonly #look: () => Promise<void>;
  #stream: MediaStream | undefined;

  constructor(video: HTMLVideoElement, look: () => Promise<void>) {
    this.#video = video;
    this.#look = look;
  }

  get isOn(): boolean {
    return this.#stream !== undefined;
  }

  async start(): Promise<void> {
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } }, audio: false });
    } catch (error) {
      throw new KerasfaceError(`No camera: ${reasonOf(error)}. Connect one and allow this page to use it.`);
    }
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    void this.#run(this.#stream);
  }

  async stop(): Promise<void> {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = undefined;
    this.#video.srcObject = null;
  }

  async #run(stream: MediaStream): Promise<void> {
    while (this.#stream === stream) {
      try {
        await this.#look();
      } catch (error) {
        complain([reasonOf(error)]);
      }
      // No frame is drawn while the page is hidden: nobody is looked at then.
      await new Promise(requestAnimationFrame);
    }
  }
}

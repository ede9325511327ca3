"""Who is it? A gallery of people, and the answer "unknown" for everybody else.

    python examples/07_gallery_that_says_unknown.py [MODEL.tflite [PEOPLE PHOTO …]]

PEOPLE has a sub-folder of photos for each person to enrol: ask them first. Without arguments it takes face.tflite of
example 05 and rendered people; demo/embedder.tflite, which `make demo` leaves, knows those better. For photos no
training is needed: `kerasface zoo get mobilefacenet.sface_photos_full --out face.tflite`; to a model of photos, though,
rendered people look all alike. No TensorFlow.
`kerasface enroll` and `kerasface identify` are the same as commands.
"""

import sys

from kerasface.data import render_identities
from kerasface.edge import Embedder, FacePipeline, Gallery, enroll_photos, load_image, photos_by_person

if len(sys.argv) == 3:
    sys.exit(__doc__)
embedder = Embedder.load(sys.argv[1] if len(sys.argv) > 1 else "face.tflite")
gallery = Gallery(embedder.spec)  # its calibrated threshold decides; another model's embeddings are refused

if len(sys.argv) > 3:
    pipeline = FacePipeline(embedder)
    for path, reason in enroll_photos(gallery, pipeline, photos_by_person(sys.argv[2:3])):
        print(f"left out {path}: {reason}")
    probes = {}
    for photo in sys.argv[3:]:
        faces = pipeline.faces(load_image(photo))
        probes |= {f"{photo}, face {number}": face.embedding for number, face in enumerate(faces, start=1)}
        if not faces:
            print(f"{photo}: no face found")
else:
    print("rendered people (to a model of photos they look all alike: give it photos)")
    crops, labels = render_identities(8, 6, seed=3)
    embeddings = embedder.embed(crops)
    for person in range(4):  # the other four are strangers
        gallery.enroll(f"person {person}", embeddings[labels == person][:5])
    probes = {f"a new photo of person {person}": embeddings[labels == person][5] for person in range(8)}

gallery.save("people.kfg")  # biometric data: for its owner's eyes (mode 600), not encrypted
gallery = Gallery.load("people.kfg", spec=embedder.spec)
for probe, embedding in probes.items():
    match = gallery.identify(embedding)
    nearest = f"nearest {match.nearest}, cosine {match.score:.4f}, threshold {match.threshold:.4f}"
    print(f"{probe}: {match.name or 'unknown'} ({nearest})")

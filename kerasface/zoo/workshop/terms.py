"""The terms of the photos and teachers that weights of the zoo have seen, and the licence that follows from them."""

import dataclasses

from kerasface.errors import KerasfaceError

__all__ = ["DATA_SETS", "TEACHERS", "DataSet", "data_sets_in", "teacher_of", "weights_licence"]


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A set of photos.

    Args:
        name: as it stands in recipes' descriptions.
        terms: under which its publishers give it away.
        home: where they say so.
        lfw: what is known of people that it shares with LFW, on which models are measured.
        at_hand: whether the project's own models are trained on a part of it.
    """

    name: str
    terms: str
    home: str
    lfw: str
    at_hand: bool = True


DATA_SETS = (
    DataSet(
        "CelebA",
        "Non-commercial research only; no portion of the images or of data derived from them may be sold or exploited "
        "commercially; the photos belong to others than the publishers.",
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        "Its authors say that it leaves LFW's people out; it has no names to check that by.",
    ),
    DataSet(
        "CFP",
        "Celebrities in Frontal-Profile in the Wild: research only.",
        "http://www.cfpw.io",
        "People whose names are in LFW were taken out.",
    ),
    DataSet(
        "UTKFace",
        "Non-commercial research only; the copyright is the photos' owners'.",
        "https://susanqq.github.io/UTKFace",
        "It has no names: whether LFW's people are among its photos is unknown.",
    ),
    DataSet(
        "CASIA-WebFace",
        "Non-commercial research only.",
        "https://arxiv.org/abs/1411.7923",
        "It shares people with LFW unless they were taken out.",
        at_hand=False,
    ),
    DataSet(
        "MS1MV3",
        "Non-commercial research only; derived from MS-Celeb-1M, which its publisher has withdrawn.",
        "https://github.com/deepinsight/insightface/tree/master/recognition/_datasets_",
        "Whether LFW's people are in it is unknown here.",
        at_hand=False,
    ),
    DataSet(
        "Glint360K",
        "Non-commercial research only.",
        "https://github.com/deepinsight/insightface/tree/master/recognition/_datasets_",
        "Whether LFW's people are in it is unknown here.",
        at_hand=False,
    ),
    DataSet(
        "synthetic identities",
        "Rendered by kerasface; nobody shown exists.",
        "kerasface.data.synthetic",
        "No photo of anyone is in it.",
    ),
)

# By the file that recipes name.
TEACHERS = {
    "sface.onnx": "SFace (Zhong et al., IEEE Transactions on Image Processing 2021; weights of OpenCV's model zoo, "
    "Apache-2.0; `python zoo/sface_teacher.py sface.onnx` fetches them)",
}


def data_sets_in(description):
    """Returns the known sets that a recipe's description names.

    Args:
        description: a recipe's `data.description`.

    Returns:
        Tuple of `DataSet`.

    Raises:
        KerasfaceError: it names none, so that nobody could say under which terms the weights stand.

    Example:
        >>> [one.name for one in data_sets_in("CelebA subset, 3,059 identities")]
        ['CelebA']
    """
    found = tuple(one for one in DATA_SETS if one.name.lower() in description.lower())
    if not found:
        raise KerasfaceError(
            "the terms of the training data are not known: data.description must name one of "
            f"{', '.join(one.name for one in DATA_SETS)}, or kerasface/zoo/workshop/terms.py must learn the set. "
            f"Received: {description!r}"
        )
    return found


def teacher_of(recipe):
    """Returns what is known of a recipe's teacher; None where it has none.

    Raises:
        KerasfaceError: a teacher whose origin and licence are not known.
    """
    if recipe.teacher is None:
        return None
    file = recipe.teacher.model.replace("\\", "/").rsplit("/", 1)[-1]
    if file not in TEACHERS:
        raise KerasfaceError(
            f"origin and licence of the teacher are not known: kerasface/zoo/workshop/terms.py knows "
            f"{', '.join(TEACHERS)}. Received: {recipe.teacher.model}"
        )
    return TEACHERS[file]


def weights_licence(models):
    """Returns the text of the licence that lies beside the weights.

    Args:
        models: `ZooModel`s by name.

    Returns:
        Text; it names the terms of every set that one of the models has seen.
    """
    seen = dict.fromkeys(one for model in models.values() for one in data_sets_in(model.training_data))
    lines = [
        "Licence of the weights in this folder",
        "=====================================",
        "",
        "This is not the licence of kerasface's code, which is Apache-2.0.",
        "",
        "The weights were trained on photos of real people that their publishers give away under terms of their own.",
        "They are for non-commercial research and teaching only. They may be copied and passed on together with this",
        "file and their cards, unchanged or changed, for such use. They come as they are, without any warranty.",
        "",
        "They may not be used",
        "- commercially, or in a product;",
        "- to identify or to follow people who have not agreed to it;",
        "- to decide about anybody's rights, access, work, credit, housing, or liberty;",
        "- to infer origin, religion, health, orientation, opinions or emotions from a face.",
        "",
        "Embeddings of faces are biometric data. Their processing is restricted or forbidden by law in many places",
        "(in the European Union by Article 9 of the GDPR and by the AI Act, in Illinois by BIPA): who uses the weights",
        "answers for that.",
        "",
        "Terms of the data",
        "-----------------",
        "",
    ]
    for one in sorted(seen, key=lambda one: one.name.lower()):
        lines += [f"{one.name}: {one.terms}", f"  {one.home}", ""]
    lines += ["What each model was trained on", "------------------------------", ""]
    lines += [f"{name}: {model.training_data}" for name, model in sorted(models.items())]
    return "\n".join(lines) + "\n"

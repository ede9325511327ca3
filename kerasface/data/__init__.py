"""Data: faces in every format to batches, split by identity; augmentation, samplers, cleaning; synthetic identities."""

from kerasface.lazy import lazy

_HOMES = {
    "Augmentation": "augmentation",
    "ClassBalanced": "samplers",
    "FaceSource": "source",
    "PeopleByImages": "samplers",
    "Uniform": "samplers",
    "batches": "stream",
    "check_files": "stream",
    "check_packed": "packed",
    "clean": "cleaning",
    "files_of_batch": "stream",
    "list_photos": "folder",
    "open_faces": "opening",
    "pack_faces": "packed",
    "read_folder": "folder",
    "read_list": "face_list",
    "read_packed": "packed",
    "read_record_file": "record_file",
    "read_verification_bin": "verification_bin",
    "render_identities": "synthetic",
    "split_identities": "split",
    "write_class_folder": "folder",
    "write_list": "face_list",
    "write_record_file": "record_file",
    "write_verification_bin": "verification_bin",
}

__all__ = [
    "Augmentation",
    "ClassBalanced",
    "FaceSource",
    "PeopleByImages",
    "Uniform",
    "batches",
    "check_files",
    "check_packed",
    "clean",
    "list_photos",
    "open_faces",
    "pack_faces",
    "read_folder",
    "read_list",
    "read_packed",
    "read_record_file",
    "read_verification_bin",
    "render_identities",
    "split_identities",
    "write_class_folder",
    "write_list",
    "write_record_file",
    "write_verification_bin",
]


# Lazy: rendering synthetic faces and listing folders need no TensorFlow.
__getattr__, __dir__ = lazy(__name__, _HOMES)

package kerasface.core

/** What the person before the phone is told: what was expected, what came, the way out. */
class KerasfaceException(message: String) : Exception(message)

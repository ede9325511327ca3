import Foundation

/// What the person before the phone is told: what was expected, what came, the way out.
struct KerasfaceError: LocalizedError, Equatable {
    let message: String

    init(_ message: String) {
        self.message = message
    }

    var errorDescription: String? { message }
}

// What the screen shows, and what its buttons do, one after the other, off the main thread.
import Combine
import Foundation
import UIKit

/// What may take long: a chosen photo may have to come from iCloud first.
typealias Loading<Photos> = @MainActor () async throws -> Photos

@MainActor
final class FacesModel: ObservableObject {
    struct Person: Identifiable {
        let name: String
        let photos: Int
        var id: String { name }
    }

    @Published private(set) var people: [Person] = []
    @Published private(set) var message = ""
    @Published private(set) var busy = false

    private let worker = Worker()

    func start() {
        show { try await $0.people(); return "" }
    }

    func enroll(_ name: String, _ photos: @escaping Loading<[UIImage]>) {
        show { try await $0.enroll(name, photos()) }
    }

    func identify(_ photo: @escaping Loading<UIImage>) {
        show { try await $0.identify(photo()) }
    }

    func delete(_ name: String) {
        show { try await $0.delete(name) }
    }

    func deleteEverybody() {
        show { try await $0.deleteEverybody() }
    }

    /// Busy from the tap on, while photos are still loading too, and without the answer to another question.
    private func show(_ action: @escaping @MainActor (Worker) async throws -> String) {
        busy = true
        message = ""
        Task {
            do {
                message = try await action(worker)
            } catch {
                message = error.localizedDescription
            }
            people = (try? await worker.people()) ?? []
            busy = false
        }
    }
}

/// Owns the models and the gallery; an actor runs one job at a time.
private actor Worker {
    private var loaded: FaceEngine?

    @discardableResult
    func people() throws -> [FacesModel.Person] {
        let gallery = try openGallery()
        return gallery.names.map { FacesModel.Person(name: $0, photos: gallery.photos(of: $0)) }
    }

    func enroll(_ name: String, _ photos: [UIImage]) throws -> String {
        var gallery = try openGallery()
        let engine = try openEngine()
        for image in photos {
            let photo = try UprightPhoto(image)
            try gallery.enroll(name, engine.embedding(of: theFace(engine.faces(in: photo)), in: photo))
        }
        try GalleryStore().save(gallery)
        return "\(name) is enrolled."
    }

    func identify(_ image: UIImage) throws -> String {
        let (engine, gallery, threshold) = try (openEngine(), openGallery(), neededThreshold())
        let photo = try UprightPhoto(image)
        let lines = try engine.faces(in: photo).map { face in
            let match = try gallery.identify(engine.embedding(of: face, in: photo), threshold: threshold)
            return String(
                format: "%@: cosine %.2f, at least %.2f needed", match.name ?? "unknown", match.score, threshold
            )
        }
        return lines.isEmpty ? "No face found." : lines.joined(separator: "\n")
    }

    func delete(_ name: String) throws -> String {
        var gallery = try openGallery()
        gallery.remove(name)
        try GalleryStore().save(gallery)
        return ""
    }

    /// Works without a model too, and where the gallery can't be read.
    func deleteEverybody() throws -> String {
        try GalleryStore().destroy()
        return ""
    }

    private func openEngine() throws -> FaceEngine {
        let engine = try loaded ?? FaceEngine()
        loaded = engine
        return engine
    }

    private func openGallery() throws -> Gallery {
        _ = try neededThreshold()
        return try GalleryStore().load(openEngine().spec)
    }

    private func neededThreshold() throws -> Double {
        guard let threshold = try openEngine().spec.threshold else {
            throw KerasfaceError(
                "The embedder has no calibrated threshold, and this app doesn't guess one: export it with --calibrate."
            )
        }
        return threshold
    }
}

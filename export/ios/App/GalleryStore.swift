// The gallery at rest: in the app's own folder, outside backups, encrypted by iOS while the phone is locked.
import Foundation

struct GalleryStore {
    private let file: URL

    init() throws {
        let folder = try FileManager.default.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true
        )
        file = folder.appendingPathComponent("gallery.json")
    }

    /// The gallery, empty where there is none yet.
    func load(_ spec: EmbedderSpec) throws -> Gallery {
        guard FileManager.default.fileExists(atPath: file.path) else {
            return Gallery(spec: spec)
        }
        return try Gallery(json: Data(contentsOf: file), spec: spec)
    }

    func save(_ gallery: Gallery) throws {
        try gallery.json().write(to: file, options: [.atomic, .completeFileProtection])
        var written = file
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try written.setResourceValues(values)
    }

    /// Forgets everybody.
    func destroy() throws {
        if FileManager.default.fileExists(atPath: file.path) {
            try FileManager.default.removeItem(at: file)
        }
    }
}

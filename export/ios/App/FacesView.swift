// The one screen: who is it, enroll, people.
import PhotosUI
import SwiftUI

private let consent = "This person knows what this is for, has agreed to it, and may be deleted at any time."
private let notice = """
    Photos, faces and names stay on this phone. Google says of MediaPipe, which finds and embeds the faces, that it \
    sends figures of its own use. There is no liveness detection: a photo held before the camera passes for the \
    person. Don't let it open a door.
    """

struct FacesView: View {
    private enum Purpose: Identifiable {
        case identify, enroll
        var id: Self { self }
    }

    @StateObject private var faces = FacesModel()
    @State private var name = ""
    @State private var agreed = false
    @State private var asked: PhotosPickerItem?
    @State private var chosen: [PhotosPickerItem] = []
    @State private var camera: Purpose?

    var body: some View {
        Form {
            Section { Text(notice).font(.footnote) }
            Section("Who is it?") {
                PhotosPicker("Choose a photo", selection: $asked, matching: .images)
                if CameraView.isAvailable {
                    Button("Take a photo") { camera = .identify }
                }
                if faces.busy {
                    ProgressView()
                }
                if !faces.message.isEmpty {
                    Text(faces.message)
                }
            }
            Section("Enroll a person") {
                TextField("Name", text: $name).autocorrectionDisabled()
                Toggle(consent, isOn: $agreed)
                PhotosPicker("Choose photos", selection: $chosen, matching: .images).disabled(!mayEnroll)
                if CameraView.isAvailable {
                    Button("Take a photo") { camera = .enroll }.disabled(!mayEnroll)
                }
            }
            Section("People") {
                ForEach(faces.people) { person in
                    Text("\(person.name) (\(person.photos))")
                        .swipeActions {
                            Button("Delete", role: .destructive) { faces.delete(person.name) }
                        }
                }
                Button("Delete everybody", role: .destructive) { faces.deleteEverybody() }
            }
        }
        .disabled(faces.busy)
        .task { faces.start() }
        .onChange(of: asked) { item in
            guard let item else { return }
            asked = nil
            faces.identify { try await photo(item) }
        }
        .onChange(of: chosen) { items in
            guard !items.isEmpty else { return }
            chosen = []
            enroll {
                var photos: [UIImage] = []
                for item in items {
                    photos.append(try await photo(item))
                }
                return photos
            }
        }
        .fullScreenCover(item: $camera) { purpose in
            CameraView { image in
                switch purpose {
                case .identify: faces.identify { image }
                case .enroll: enroll { [image] }
                }
            }
            .ignoresSafeArea()
        }
    }

    private var mayEnroll: Bool { agreed && !trimmedName.isEmpty }

    private var trimmedName: String { name.trimmingCharacters(in: .whitespacesAndNewlines) }

    /// Takes the name before the photos are loaded: they are of whom the form named when they were chosen.
    private func enroll(_ photos: @escaping Loading<[UIImage]>) {
        let person = trimmedName
        // The next person is asked anew.
        name = ""
        agreed = false
        faces.enroll(person, photos)
    }
}

private func photo(_ item: PhotosPickerItem) async throws -> UIImage {
    guard let data = try? await item.loadTransferable(type: Data.self), let photo = UIImage(data: data) else {
        throw KerasfaceError("A photo can't be read.")
    }
    return photo
}

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
                            Button("Delete", role: .destructive) { Task { await faces.delete(person.name) } }
                        }
                }
                Button("Delete everybody", role: .destructive) { Task { await faces.deleteEverybody() } }
            }
        }
        .disabled(faces.busy)
        .task { await faces.start() }
        .onChange(of: asked) { item in
            guard let item else { return }
            asked = nil
            Task { await with([item]) { await faces.identify($0[0]) } }
        }
        .onChange(of: chosen) { items in
            guard !items.isEmpty else { return }
            chosen = []
            Task { await with(items) { await enroll($0) } }
        }
        .fullScreenCover(item: $camera) { purpose in
            CameraView { image in
                Task {
                    switch purpose {
                    case .identify: await faces.identify(image)
                    case .enroll: await enroll([image])
                    }
                }
            }
            .ignoresSafeArea()
        }
    }

    private var mayEnroll: Bool { agreed && !trimmedName.isEmpty }

    private var trimmedName: String { name.trimmingCharacters(in: .whitespacesAndNewlines) }

    private func enroll(_ photos: [UIImage]) async {
        let person = trimmedName
        // The next person is asked anew.
        name = ""
        agreed = false
        await faces.enroll(person, photos)
    }

    private func with(_ items: [PhotosPickerItem], _ action: ([UIImage]) async -> Void) async {
        var photos: [UIImage] = []
        for item in items {
            guard let data = try? await item.loadTransferable(type: Data.self), let photo = UIImage(data: data) else {
                faces.say("A photo can't be read.")
                return
            }
            photos.append(photo)
        }
        await action(photos)
    }
}

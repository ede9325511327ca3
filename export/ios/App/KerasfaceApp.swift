import SwiftUI

@main
struct KerasfaceApp: App {
    var body: some Scene {
        WindowGroup {
            FacesView()
        }
    }
}

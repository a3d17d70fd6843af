import Contracts
import ServiceKit

@main
struct App {
    static func main() async {
        await ServiceRunner.run(.mlTraining, keys: TrainingSettings.keys) { @Sendable bootstrap in
            try TrainingApplication(bootstrap).build()
        }
    }
}

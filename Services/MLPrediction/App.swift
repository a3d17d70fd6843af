import Contracts
import ServiceKit

@main
struct App {
    static func main() async {
        await ServiceRunner.run(.mlPrediction, keys: PredictionSettings.keys) { @Sendable bootstrap in
            try PredictionApplication(bootstrap).build()
        }
    }
}

import Contracts
import Foundation
import Testing

@Suite struct PredictionLineTests {
    private static func option(_ isWhole: Bool) -> AlternativeOption {
        AlternativeOption(
            employeeId: EmployeeID(), name: "Zoë \"Z\" O\\Hara\n", estimatedHours: 1 / 3,
            successProbability: isWhole ? 0.25 : nil, availability: 1, skillMatch: 0, skillFit: isWhole ? 0.875 : nil,
            score: 0.1, rank: isWhole ? 12 : nil)
    }

    private static func prediction(_ isWhole: Bool) -> Prediction {
        let intervals = [
            HoursInterval(level: 0.8, low: 1.5, high: 7.25), HoursInterval(level: 0.9, low: 0, high: 1e15),
        ]
        return Prediction(
            predictionId: PredictionID(), recommendedAllocation: 33.3, allocationNote: isWhole ? "little is free" : nil,
            estimatedHours: 12.345678901234567, successProbability: isWhole ? 0.5 : nil,
            confidence: isWhole ? 61.5 : nil,
            interval: isWhole ? intervals[0] : nil, intervals: isWhole ? intervals : [],
            explanation: isWhole
                ? [
                    FeatureEffect(
                        feature: "this person’s tasks", effect: 0.9, text: "14 tasks of “Z”, 18 % over plan."),
                    FeatureEffect(feature: "all tasks", effect: 1.1),
                ] : [],
            model: isWhole
                ? PredictionModel(id: ModelID(), version: 3, kind: "ensemble", artifactSha256: "ab12")
                : PredictionModel(id: nil, version: 0, kind: PredictionModel.baseline),
            alternativeOptions: isWhole ? [option(true), option(false)] : [], standing: isWhole ? option(true) : nil,
            peopleCompared: isWhole ? 1_000 : nil, asOf: Date(timeIntervalSince1970: 1_767_571_200.125),
            warnings: isWhole ? ["The project is completed."] : nil, explanationBase: isWhole ? -0.5 : nil)
    }

    @Test(
        "a prediction written by hand has the bytes of the encoder, with everything said and with nothing",
        arguments: [true, false])
    func bytes(isWhole: Bool) throws {
        let prediction = Self.prediction(isWhole)
        let bytes = try prediction.wireBytes()
        #expect(
            String(decoding: bytes, as: UTF8.self) == String(decoding: try WireJSON.encode(prediction), as: UTF8.self))
        #expect(try WireJSON.decode(Prediction.self, from: bytes) == prediction)
    }

    @Test("no field of a prediction is forgotten by hand")
    func fields() throws {
        let whole = Self.prediction(true)
        let text = String(decoding: try whole.wireBytes(), as: UTF8.self)
        for value in [whole, whole.model, whole.alternativeOptions[0], whole.intervals[0], whole.explanation[0]]
            as [Any]
        {
            for child in Mirror(reflecting: value).children {
                let name = try #require(child.label)
                // An example that leaves a field out would hide that it is forgotten.
                #expect(!"\(child.value)".hasPrefix("nil") && text.contains("\"\(name)\":"), "\(name)")
            }
        }
    }

    @Test("what JSON cannot hold is refused")
    func unwritable() {
        let prediction = Prediction(
            predictionId: PredictionID(), recommendedAllocation: 0, allocationNote: nil, estimatedHours: .nan,
            successProbability: nil, confidence: nil, interval: nil, intervals: [], explanation: [],
            model: PredictionModel(id: nil, version: 0, kind: "baseline"), alternativeOptions: [],
            asOf: Date(timeIntervalSince1970: 0))
        #expect(throws: EncodingError.self) { _ = try prediction.wireBytes() }
    }
}

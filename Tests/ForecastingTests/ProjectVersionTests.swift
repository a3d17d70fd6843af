import Testing

@testable import Forecasting

@Suite("Project versions")
struct ProjectVersionTests {
    @Test("features read a project's dates as they stood at the decision, in training and in serving")
    func datesAtTheDecision() throws {
        let day = 86_400.0
        let allocation = Allocation(
            id: "a", employee: "e", project: "p", plannedHours: 8, actualHours: 9, decidedAt: 100 * day,
            completedAt: 110 * day)
        func project(_ earlier: [ProjectFacts.EarlierDates]?) -> ProjectFacts {
            ProjectFacts(id: "p", start: 90 * day, estimatedEnd: 300 * day, end: 95 * day, earlier: earlier)
        }
        let before = ProjectFacts.EarlierDates(
            until: 120 * day, dates: .init(start: 90 * day, estimatedEnd: 130 * day, end: nil))
        let asItStood = ProjectFacts(id: "p", start: 90 * day, estimatedEnd: 130 * day)

        func rows(_ project: ProjectFacts) throws -> (training: [Float], serving: [Float]) {
            let history = History(allocations: [allocation], projects: [project])
            let schema = FeatureSchema(withPlan: true)
            let matrix = history.features(schema: schema, asOf: .infinity)
            return (Array(matrix.values), FeatureBuilder(schema: schema, history: history).values(Decision(allocation)))
        }
        let edited = try rows(project([before]))
        let stood = try rows(asItStood)
        let forgotten = try rows(project(nil))

        #expect(edited.training.map(\.bitPattern) == stood.training.map(\.bitPattern))
        #expect(edited.serving.map(\.bitPattern) == stood.serving.map(\.bitPattern))
        #expect(forgotten.training.map(\.bitPattern) != stood.training.map(\.bitPattern), "the edit must matter")
    }
}

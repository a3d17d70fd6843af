import Contracts
import Testing

@Suite struct PredictionBatchTests {
    private func faults(_ count: Int, alternatives: Int? = nil) -> [FieldError] {
        let question = PredictionRequest(employeeId: EmployeeID(), projectId: ProjectID(), alternatives: alternatives)
        var validation = Validation()
        PredictionBatchRequest(requests: Array(repeating: question, count: count)).validate(&validation)
        return validation.errors
    }

    @Test("ten thousand questions are a batch, more are none")
    func count() {
        #expect(faults(10_000).isEmpty && faults(1).isEmpty)
        for count in [0, 10_001] { #expect(faults(count).map(\.field) == ["requests"], "\(count)") }
    }

    @Test("all questions together ask for no more alternatives than one answer can hold")
    func alternatives() {
        #expect(faults(2_000, alternatives: 50).isEmpty)
        #expect(faults(2_001, alternatives: 50).map(\.field) == ["requests"])
        let many = faults(2, alternatives: Int.max)
        #expect(many.map(\.field) == ["requests[0].alternatives", "requests[1].alternatives"])
    }

    @Test("of a batch whose every question is wrong some faults are told")
    func manyFaults() {
        let told = faults(10_000, alternatives: -1).count
        #expect(told >= 100 && told < 200)
    }
}

import Contracts
import Testing

/// What may stand together in a question.
@Suite struct PredictionRequestTests {
    private func question(percent: Double? = nil, hoursPerDay: Double? = nil) -> PredictionRequest {
        PredictionRequest(
            employeeId: EmployeeID(), projectId: ProjectID(), allocationPercentage: percent, hoursPerDay: hoursPerDay)
    }

    private func faults(_ request: some RequestPayload) -> [FieldError] {
        var validation = Validation()
        request.validate(&validation)
        return validation.errors
    }

    @Test("the effort is stated as a percentage or as hours per day, and what is wrong names its field")
    func effort() {
        #expect(faults(question(percent: 50)).isEmpty && faults(question(hoursPerDay: 24)).isEmpty)
        for hours in [0, -1, 24.5, .nan] {
            #expect(faults(question(hoursPerDay: hours)).map(\.field) == ["hoursPerDay"], "\(hours)")
        }
        let both = faults(question(percent: 50, hoursPerDay: 4))
        #expect(both.map(\.field) == ["hoursPerDay"])
        #expect(both.allSatisfy { $0.message.contains("allocationPercentage") })
        let batch = faults(PredictionBatchRequest(requests: [question(), question(percent: 50, hoursPerDay: 4)]))
        #expect(batch.map(\.field) == ["requests[1].hoursPerDay"])
    }

    /// Of everybody each day of the window is reckoned.
    @Test("a question asks about no longer a time than a booking may have, in all its forms")
    func days() throws {
        let (first, last) = (try #require(CivilDate("2026-01-01")), try #require(CivilDate("9999-12-31")))
        let longest = first.adding(days: BookingLimits.longestDays - 1)
        func asked(_ end: CivilDate) -> PredictionRequest {
            PredictionRequest(employeeId: EmployeeID(), projectId: ProjectID(), startDate: first, endDate: end)
        }
        #expect(faults(asked(longest)).isEmpty)
        #expect(faults(asked(longest.adding(days: 1))).map(\.field) == ["endDate"])
        #expect(faults(PredictionBatchRequest(requests: [asked(last)])).map(\.field) == ["requests[0].endDate"])
        let whatIf = WhatIfRequest(predictionId: PredictionID(), startDate: .value(first), endDate: .value(last))
        #expect(faults(whatIf).map(\.field) == ["endDate"])
        let instead = PredictionInstead(startDate: first, endDate: last)
        let decision = PredictionDecisionRequest(decision: .changed, instead: instead)
        #expect(faults(decision).map(\.field) == ["instead.endDate"])
        #expect(faults(asked(first.adding(days: -1))).map(\.field) == ["endDate"])
    }

    @Test("a comment may have several lines, as a reason may, and no other control characters")
    func comments() {
        let lines = "Too long.\r\n\tThe client had\nthe parts."
        #expect(faults(PredictionFeedbackRequest(score: 2, comment: lines)).isEmpty)
        #expect(faults(PredictionDecisionRequest(decision: .rejected, reason: lines)).isEmpty)
        for comment in ["one\u{1}", " \n\t"] {
            #expect(faults(PredictionFeedbackRequest(score: 2, comment: comment)).map(\.field) == ["comment"])
        }
    }

    @Test("a what-if restates the effort in the other way when it empties the one before")
    func whatIf() throws {
        let base = question(percent: 50)
        let beside = WhatIfRequest(predictionId: PredictionID(), hoursPerDay: .value(4))
        #expect(faults(beside).isEmpty)
        // Each alone may be right and both together wrong: the service judges the question that results.
        #expect(faults(try #require(beside.question(changing: base))).map(\.field) == ["hoursPerDay"])
        let instead = WhatIfRequest(predictionId: PredictionID(), allocationPercentage: .null, hoursPerDay: .value(4))
        let changed = try #require(instead.question(changing: base))
        #expect(changed.hoursPerDay == 4 && changed.allocationPercentage == nil && faults(changed).isEmpty)
        let same = try #require(WhatIfRequest(predictionId: PredictionID()).question(changing: changed))
        #expect(same.hoursPerDay == 4)
        let both = WhatIfRequest(
            employeeId: EmployeeID(), projectId: ProjectID(), allocationPercentage: .value(50), hoursPerDay: .value(4))
        #expect(faults(both).map(\.field) == ["hoursPerDay"])
    }
}

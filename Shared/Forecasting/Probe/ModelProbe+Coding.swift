extension ModelProbe {
    private static let magic: UInt32 = 0x4250_5245

    func encode(into writer: inout ByteWriter) {
        writer.write(Self.magic)
        writer.write(isFused)
        writer.write(allocations) { writer, allocation in
            writer.write(allocation.id)
            writer.write(Decision(allocation))
            writer.write(allocation.plannedHours)
            writer.write(allocation.actualHours)
            writer.write(allocation.completedAt)
        }
        writer.write(questions) { writer, question in
            writer.write(question.decision)
            writer.write(question.figures)
        }
        writer.write(rows) { writer, row in
            writer.write(row.place.rawValue)
            writer.write(row.planned)
            writer.write(row.values)
            writer.write(row.figures)
        }
    }

    /// - Throws: `ArtifactError` when what follows the model is no probe.
    init(from reader: inout ByteReader) throws {
        guard try reader.integer(UInt32.self) == Self.magic else {
            throw ArtifactError(description: "the artefact is longer than it should be")
        }
        self.init(
            isFused: try reader.bool(),
            allocations: try reader.array { reader in
                let id = try reader.string()
                let decision = try reader.decision()
                return Allocation(
                    id: id, employee: decision.employee, project: decision.project, skills: decision.skills,
                    labels: decision.labels, plannedHours: try reader.double(),
                    allocationPercent: decision.allocationPercent, actualHours: try reader.optionalDouble(),
                    start: decision.start, plannedEnd: decision.end, decidedAt: decision.at,
                    completedAt: try reader.optionalDouble(), title: decision.title, hoursPerDay: decision.hoursPerDay)
            },
            questions: try reader.array { Question(decision: try $0.decision(), figures: try $0.doubles()) },
            rows: try reader.array { reader in
                guard let place = ForecastModel.Place(rawValue: try reader.integer()) else {
                    throw ArtifactError(description: "the artefact's probe asks an unknown kind of question")
                }
                return Row(
                    place: place, planned: try reader.double(), values: try reader.floats(),
                    figures: try reader.doubles())
            })
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ value: Double?) {
        write(value != nil)
        if let value { write(value) }
    }

    fileprivate mutating func write(_ decision: Decision) {
        write(decision.employee)
        write(decision.project)
        write(decision.skills)
        write(decision.labels.sorted { $0.key < $1.key }) {
            $0.write($1.key)
            $0.write($1.value)
        }
        write(decision.title != nil)
        if let title = decision.title { write(title) }
        write(decision.plannedHours)
        write(decision.allocationPercent)
        write(decision.start)
        write(decision.end)
        write(decision.at)
        if formatVersion >= 6 { write(decision.hoursPerDay) }
    }
}

extension ByteReader {
    fileprivate mutating func optionalDouble() throws -> Double? { try bool() ? double() : nil }

    fileprivate mutating func decision() throws -> Decision {
        let (employee, project, skills) = (try string(), try string(), try strings())
        let labels = try array { (try $0.string(), try $0.string()) }
        let title = try bool() ? string() : nil
        return Decision(
            employee: employee, project: project, skills: skills, labels: Dictionary(labels) { first, _ in first },
            plannedHours: try optionalDouble(), allocationPercent: try optionalDouble(), start: try optionalDouble(),
            end: try optionalDouble(), at: try double(), title: title,
            hoursPerDay: try formatVersion >= 6 ? optionalDouble() : nil)
    }
}

import Contracts

/// The skills of a tenant: numbers for their names, whatever the spelling, the words that find them, and how many people
/// and projects name each.
struct SkillNames: Sendable {
    /// By folded name.
    private var numbers: [String: Int32] = [:]
    /// By number, as records spell it; the latest after a new spelling.
    private var names: [String] = []
    /// By spelling, so that each is folded once.
    private var spellings: [String: Int32] = [:]
    private var lists: [[String]: [Int32]] = [:]
    private var uses: [Int] = []
    /// Folded aliases and the names of their skills.
    private var aliases: [String: String] = [:]

    /// Spellings beyond these few are folded each time.
    private static let mostSpellings = 1 << 16

    /// The number of a skill that a record names.
    mutating func number(_ name: String) -> Int32 {
        guard let known = spellings[name] else { return numberByFolding(name) }
        keep(name, of: known)
        return known
    }

    /// Of the skills that a record names. Equal lists share their memory.
    mutating func numbers(_ list: [String]) -> [Int32] {
        if let known = lists[list] {
            for (number, name) in zip(known, list) { keep(name, of: number) }
            return known
        }
        let numbers = list.map { number($0) }
        if lists.count < Self.mostSpellings { lists[list] = numbers }
        return numbers
    }

    private mutating func numberByFolding(_ name: String) -> Int32 {
        let folded = name.folded
        let number = numbers[folded] ?? Int32(names.count)
        if number == names.count {
            numbers[folded] = number
            names.append(name)
            uses.append(0)
        }
        if spellings.count < Self.mostSpellings { spellings[name] = number }
        keep(name, of: number)
        return number
    }

    private mutating func keep(_ name: String, of number: Int32) {
        if names[Int(number)] != name { names[Int(number)] = name }
    }

    /// Takes the place of all aliases that were known.
    /// - Parameter aliases: by the skill's name.
    mutating func setAliases(_ aliases: [String: [String]]) {
        self.aliases = [:]
        for (name, words) in aliases {
            for word in words { self.aliases[word.folded] = name }
        }
    }

    /// nil for a skill that no record names.
    func known(folded name: String) -> Int32? { numbers[name] }

    mutating func use(_ numbers: some Sequence<Int32>, by difference: Int) {
        for number in numbers { uses[Int(number)] += difference }
    }

    /// Whether a person has the skill or a project requires it.
    func isInUse(_ number: Int32) -> Bool { uses[Int(number)] > 0 }
}

// What clients name skills by. Models know a skill by the name that records have: another spelling of it, or an alias,
// would be a skill that nobody has ever worked with.
extension SkillNames {
    /// The name that records have of the skill that a word finds; where it finds none, the word as it would be stored.
    func name(of word: String) -> String {
        let name = aliases[word.folded] ?? word
        return numbers[name.folded].map { names[Int($0)] } ?? name.tidied
    }

    /// The same of each; a skill that several words find is named once.
    func names(of words: [String]) -> [String] {
        var found: Set<String> = []
        return words.map { name(of: $0) }.filter { found.insert($0.folded).inserted }
    }

    /// Least levels by those names; of several words that find one skill the higher counts.
    func levels(of words: [String: Int]) -> [String: Int] {
        Dictionary(words.map { (name(of: $0.key), $0.value) }, uniquingKeysWith: max)
    }
}

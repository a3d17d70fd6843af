import Testing

@testable import Ermctl

@Suite struct OutputTests {
    @Test("columns are as wide as their widest cell, numbers flush right")
    func table() {
        var table = Table(("NAME", .left), ("HOURS", .right))
        table.add("Ada", "2.50")
        table.add("Grace Hopper", "12.00")
        #expect(
            table.rendered() == """
                NAME          HOURS
                ────────────  ─────
                Ada            2.50
                Grace Hopper  12.00
                """)
    }

    @Test("a bar fills with its fraction and never overflows")
    func bar() {
        #expect(ProgressBar.line("training", 0.5, "loss 0.1", width: 4) == "training  [██░░]  50 %  loss 0.1")
        #expect(ProgressBar.line("training", 7, "", width: 4) == "training  [████] 100 %  ")
        #expect(ProgressBar.line("training", .nan, "", width: 4) == "training  [░░░░]   0 %  ")
    }
}

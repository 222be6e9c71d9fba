use super::{Scope, Value};

fn scope(pairs: &[(&str, i128)]) -> Scope {
    let mut scope = Scope::default();
    scope.variables.extend(pairs.iter().map(|(name, number)| ((*name).to_owned(), Value::Integer(*number))));
    scope
}

#[test]
fn assertions_hold_or_say_what_the_names_in_them_are() {
    let mut scope = scope(&[("tcpi_snd_cwnd", 10), ("tcpi_unacked", 3)]);
    assert_eq!(scope.run("assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd; assert 1 < tcpi_unacked <= 3 and not 0"), Ok(()));
    let fault = scope.run("assert tcpi_snd_cwnd == 11, 'cwnd %d' % tcpi_snd_cwnd").unwrap_err();
    assert_eq!(fault.message, "assertion failed: tcpi_snd_cwnd == 11: cwnd 10 (tcpi_snd_cwnd is 10)");
}

#[test]
fn variables_live_on_in_the_next_block() {
    let mut scope = scope(&[("x", 4)]);
    scope.run("old = x * 2 + 1  # kept\nold += 1").unwrap();
    scope.run("assert (old ==\n   10)\nassert old / 4 == 2.5 and old // 4 == 2 and old % 4 == 2 and 1 | 6 & 4 == 5\nprint('old', old)").unwrap();
    assert_eq!(scope.printed, ["old 10"]);
}

#[test]
fn what_is_not_understood_is_an_error_at_its_place() {
    for (text, at) in [
        ("assert nobody == 1", 7),
        ("assert 1 ==", 11),
        ("x = 1 / 0", 6),
        ("for x in 3: pass", 0),
        ("a = $", 4),
        ("def f(): pass", 0),
        ("if 1\n  x = 2", 0),
        ("x = 1\nif x:\ny = 2", 6),
        ("else: x = 1", 0),
        ("  x = 1\n    y = 2", 12),
        ("while 1: pass", 0),
        ("x = (1, 2)[2]", 10),
        ("x = f'{1'", 4),
        ("x = range(1, 2, 0)", 4),
        ("x = 1 if 2", 10),
    ] {
        let fault = Scope::default().run(text).unwrap_err();
        assert_eq!(fault.at, at, "{text}: {}", fault.message);
    }
    let deep = format!("assert {}1", "-".repeat(5000));
    assert!(Scope::default().run(&deep).unwrap_err().message.contains("nesting"));
}

#[test]
fn blocks_are_run_as_python_runs_them() {
    let mut scope = scope(&[("cwnd", 10)]);
    scope
        .run(
            "total = 0
for i in range(1, 5):
    if i == 3: continue
    total += i; total += 0
    if total > 100:
        break
else_taken = 0
if cwnd < 10:
    total = -1
elif cwnd == 10 and total == 7:
    for x in [1, 2, 3]:
        total *= 2
        # a remark
        if x == 2: break
    else_taken = 1
else:
    total = -2
n = 3
while n: n -= 1
assert total == 28 and else_taken == 1 and n == 0, (total, else_taken, n)
print(f'cwnd {cwnd} of {total:x} {{}}')",
        )
        .unwrap();
    assert_eq!(scope.printed, ["cwnd 10 of 1c {}"]);
}

#[test]
fn what_does_not_count_is_not_evaluated() {
    let mut scope = scope(&[("x", 0)]);
    scope.run("assert x == 0 or 1 / x\nassert not (x and nobody)\ny = 1 / x if x else 7\nassert y == 7").unwrap();
    scope.run("z = 1 if y == 7 else nobody[3]\nassert z == 1 and (2, 3)[-1] == 3 and min([4, 2]) == 2").unwrap();
}

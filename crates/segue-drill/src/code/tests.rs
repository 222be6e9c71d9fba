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
    for (text, at) in
        [("assert nobody == 1", 7), ("assert 1 ==", 11), ("x = 1 / 0", 6), ("for x in y: pass", 0), ("a = $", 4)]
    {
        let fault = Scope::default().run(text).unwrap_err();
        assert_eq!(fault.at, at, "{text}: {}", fault.message);
    }
    let deep = format!("assert {}1", "-".repeat(5000));
    assert!(Scope::default().run(&deep).unwrap_err().message.contains("nesting"));
}

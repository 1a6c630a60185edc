# Writes files, renames, links and removes names, as it is told on standard input, and answers for each on standard output.
#
# Slipway starts it on a target's server, over the SSH connection that it has anyway (transfer = "stream"). It needs nothing
# but Perl's own modules, keeps nothing, and ends with its input. What one request is:
#
#   F <mode> <time> <sync> <size> <length>\n<path><content>k   a new file; "-": no mode, no time; without the k it is not kept
#   R <length> <length>\n<old><new>                             rename
#   L <length> <length>\n<old><new>                             a second name
#   U <length> 0\n<path>                                        unlink
#
# The answer is ".", or "!<what> <error's name> <error's text>\n", which is said as soon as it is known. Every path is taken as it
# is, each time anew: a folder that was renamed meanwhile is not there any more, which is what keeps an engine out that should
# have stopped. Anything else ends the program: what follows could be a part of a file, and no word of it an order.
use strict;
use warnings;
use Fcntl qw(O_WRONLY O_CREAT O_EXCL);
use IO::Handle;

my $CHUNK = 256 * 1024;
my @ERRORS = qw(ENOENT ENOTDIR EEXIST EACCES EPERM ENOSPC EDQUOT EFBIG EROFS EXDEV ENOTEMPTY EISDIR EINVAL ELOOP EBUSY ENAMETOOLONG
    EMLINK EIO);
my ($in, $answers, $said) = ("", "", 0);

# Ends whatever is under way: nobody is there any more.
sub gone { die "gone\n" }

sub say_all {
    $said = time;
    while (length $answers) {
        my $sent = syswrite STDOUT, $answers;
        defined $sent or gone();
        substr($answers, 0, $sent) = "";
    }
}

# Some more input; answers go out before it is waited for.
sub more {
    say_all();
    sysread STDIN, $in, $CHUNK, length $in or gone();
}

sub take {
    my ($count) = @_;
    more() while length $in < $count;
    return substr $in, 0, $count, "";
}

sub line {
    my $end;
    more() while ($end = index $in, "\n") < 0;
    my $line = substr $in, 0, $end, "";
    substr($in, 0, 1) = "";
    return $line;
}

# Answers that something went wrong, which is true.
sub fault {
    my ($doing) = @_;
    my ($text, $name) = ("$!", "EIO");
    for my $known (@ERRORS) { $name = $known if $!{$known} }
    $answers .= "!$doing $name $text\n";
    return 1;
}

# The content of one file: all of it is taken, whatever becomes of it.
sub fill {
    my ($out, $left, $wrong) = @_;
    while ($left) {
        more() while length $in < ($left < $CHUNK ? $left : $CHUNK);
        my $here = length $in < $left ? length $in : $left;
        for (my $at = 0; $at < $here and not $wrong;) {
            my $wrote = syswrite $out, $in, $here - $at, $at;
            if (defined $wrote) { $at += $wrote } else { $wrong = fault("write") }
        }
        substr($in, 0, $here) = "";
        $left -= $here;
    }
    return $wrong;
}

sub finish {
    my ($out, $mode, $time, $sync) = @_;
    return fault("set-mode") if $mode ne "-" and not chmod oct $mode, $out;
    return fault("set-times") if $time ne "-" and not utime $time, $time, $out;
    return fault("sync") if $sync and not $out->sync;
    return 0;
}

sub file {
    my ($mode, $time, $sync, $size, $length) = @_;
    my $path = take($length);
    my $made = sysopen my $out, $path, O_WRONLY | O_CREAT | O_EXCL, $mode eq "-" ? 0666 : oct $mode;
    my $wrong = $made ? 0 : fault("create");
    # PERL_UNICODE and PERL5OPT can ask for another encoding of whatever is written.
    binmode $out if $made;
    my $whole = eval {
        $wrong = fill($out, $size, $wrong);
        take(1) eq "k" or die "no end of a file where one belongs\n";
        $wrong ||= finish($out, $mode, $time, $sync);
        1;
    };
    my $cut = $@;
    $wrong ||= fault("close") if $made and not close $out;
    unlink $path if $made and ($wrong or not $whole);
    die $cut unless $whole;
    $answers .= "." unless $wrong;
}

sub names {
    my ($kind, $first, $second) = @_;
    my ($old, $new) = (take($first), take($second));
    my $done = $kind eq "R" ? rename $old, $new : $kind eq "L" ? link $old, $new : unlink $old;
    $done ? $answers .= "." : fault("change");
}

$SIG{PIPE} = "IGNORE";
binmode STDIN;
binmode STDOUT;
$answers = "slipway receiver 1\n";
eval {
    while (1) {
        my $line = line();
        if ($line =~ /^F (-|[0-7]+) (-|-?[0-9]+) ([01]) ([0-9]+) ([0-9]+)\z/) { file($1, $2, $3, $4, $5) }
        elsif ($line =~ /^([RLU]) ([0-9]+) ([0-9]+)\z/) { names($1, $2, $3) }
        else { die "no request where one belongs\n" }
        # A slow disk must not look like a dead one: it is told at least every second that something was done.
        say_all() if length $answers > 4096 or time != $said;
    }
};
die $@ unless $@ eq "gone\n";

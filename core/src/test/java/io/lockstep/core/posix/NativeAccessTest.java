package io.lockstep.core.posix;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import org.junit.jupiter.api.Test;

class NativeAccessTest {
    private static final String POSIX = "io.lockstep.core.posix";

    private static final JavaClasses CORE = ArchConfiguration.withThreadLocalScope(configuration -> {
        // The rule asks for names only: the classes of the JDK need not be read.
        configuration.setResolveMissingDependenciesFromClassPath(false);
        return new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.lockstep.core");
    });

    @Test
    void onlyPosixLinksNativeFunctionsOrGivesRawAddressesASize() {
        rule(POSIX).check(CORE);
    }

    @Test
    void theRuleSeesWhoDoes() {
        assertThat(rule("no.such.place").evaluate(CORE).getFailureReport().toString())
                .contains("Links")
                .contains("Memfd")
                .contains("reinterpret");
    }

    private static ArchRule rule(String allowed) {
        return noClasses()
                .that()
                .resideOutsideOfPackage(allowed)
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(Linker.class, SymbolLookup.class)
                .orShould()
                .callMethodWhere(describe(
                        "it is MemorySegment.reinterpret",
                        (JavaMethodCall call) -> call.getTarget().getName().equals("reinterpret")
                                && call.getTargetOwner().isEquivalentTo(MemorySegment.class)));
    }
}

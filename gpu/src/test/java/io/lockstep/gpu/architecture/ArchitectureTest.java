package io.lockstep.gpu.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.VarHandle;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The arrows of the house. Each rule holds for the module, and fails for a class that was planted to break it. */
class ArchitectureTest {
    private static final String MODULE = "io.lockstep.gpu";
    private static final String FIXTURES = "io.lockstep.gpu.architecture.fixtures";

    private static final JavaClasses GPU = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(MODULE);
    private static final JavaClasses PLANTED = new ClassFileImporter().importPackages(FIXTURES);

    enum Rule {
        GPU_DEPENDS_ON_CORE_AND_THE_JDK_ALONE("TestLibraryUser") {
            @Override
            ArchRule in(String root) {
                return classes()
                        .should()
                        .onlyDependOnClassesThat(resideInAnyPackage(
                                root + "..", MODULE + "..", "io.lockstep.core..", "java..", "org.jspecify.."));
            }
        },
        ONLY_VENDORS_AND_THE_DRIVER_ROOM_CALL_NATIVE_CODE("LinkerUser") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideOutsideOfPackages(root + ".driver", root + ".cuda", root + ".hip")
                        .should()
                        .dependOnClassesThat()
                        .belongToAnyOf(Linker.class, SymbolLookup.class);
            }
        },
        THE_COLLECTIVE_KNOWS_NO_VENDOR("CollectiveThatKnowsCuda") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideInAPackage(root + ".collective")
                        .should()
                        .dependOnClassesThat(resideInAnyPackage(root + ".cuda", root + ".hip"));
            }
        },
        THE_KERNELS_KNOW_NEITHER_VENDOR_NOR_COLLECTIVE("KernelThatKnowsTheCollective") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideInAPackage(root + ".kernel")
                        .should()
                        .dependOnClassesThat(resideInAnyPackage(root + ".cuda", root + ".hip", root + ".collective"));
            }
        },
        ONLY_THE_REPORT_ORDERS_ACCESSES("VarHandleUser") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .doNotHaveSimpleName("CallReport")
                        .should()
                        .dependOnClassesThat()
                        .belongToAnyOf(VarHandle.class);
            }
        },
        GPU_PRINTS_NOTHING("Printer") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .should()
                        .accessField(System.class, "out")
                        .orShould()
                        .accessField(System.class, "err");
            }
        };

        private final String planted;

        Rule(String planted) {
            this.planted = planted;
        }

        abstract ArchRule in(String root);
    }

    @ParameterizedTest
    @EnumSource
    void theModuleKeepsTheRule(Rule rule) {
        rule.in(MODULE).allowEmptyShould(false).check(GPU);
    }

    @ParameterizedTest
    @EnumSource
    void theRuleSeesTheClassThatBreaksIt(Rule rule) {
        Stream<String> broken = rule.in(FIXTURES).evaluate(PLANTED).getFailureReport().getDetails().stream();
        assertThat(broken).isNotEmpty().allSatisfy(line -> assertThat(line).contains(rule.planted));
    }
}
